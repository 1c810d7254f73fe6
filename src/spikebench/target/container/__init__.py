"""The docker target: a candidate's server in a container, by testcontainers.

A container publishes its ports on 127.0.0.1 only, under the same numbers inside and outside, so
that a broker can advertise the address its clients really use. It runs on the server's share of the
cores. It is removed, with its volumes, when the harness stops it; by a guard process when the
harness dies; and at the latest when another harness starts a container on this machine.
"""
