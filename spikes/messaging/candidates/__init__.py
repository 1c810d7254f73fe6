"""Drivers and topologies of the messaging spike's candidates."""
