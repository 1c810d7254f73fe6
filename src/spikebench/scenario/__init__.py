"""Scenarios: workloads and what they require, read from YAML and checked."""
