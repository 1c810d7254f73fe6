"""Stand-ins with known behaviour: drivers that misbehave by rule, segments, servers and spikes."""
