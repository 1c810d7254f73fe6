module spikebench/mark

go 1.26
