module rgate

go 1.26.0
