"""The docker target: functions in AWS's Lambda base images, each trial a container of its own."""
