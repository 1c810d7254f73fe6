"""The experiment in an AWS account: real functions, forced to start cold, read from outside."""
