// Answers a constant.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"spikebench/mark"
)

type answer struct {
	Message string `json:"message"`
}

func main() {
	mark.Up()
	lambda.Start(handle)
}

func handle() (answer, error) {
	return answer{Message: "hello spike"}, nil
}
