"""What a trial measured: latencies, the account of every message, resources, and the machine."""
