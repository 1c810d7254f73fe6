module spikebench/json

go 1.26

require (
	github.com/aws/aws-lambda-go v1.55.1
	spikebench/mark v0.0.0
)

replace spikebench/mark => ../../../runtimes/clients/go
