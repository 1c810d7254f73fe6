// Validates and maps a batch of row events, as ../../README.md says.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"spikebench/mark"
)

type event struct {
	Rows []row `json:"rows"`
}

type answer struct {
	Accepted   []change  `json:"accepted"`
	Refused    []refusal `json:"refused"`
	TotalCents int64     `json:"total_cents"`
}

type refusal struct {
	Index  int    `json:"index"`
	Reason string `json:"reason"`
}

func main() {
	mark.Up()
	lambda.Start(handle)
}

func handle(event event) (answer, error) {
	result := answer{Accepted: []change{}, Refused: []refusal{}}
	for index, row := range event.Rows {
		accepted, reason := row.accept()
		if reason != "" {
			result.Refused = append(result.Refused, refusal{index, reason})
			continue
		}
		result.Accepted = append(result.Accepted, accepted)
		result.TotalCents += accepted.AmountCents
	}
	return result, nil
}
