module mica/compress

go 1.22

require (
	github.com/klauspost/compress v1.11.13
	github.com/klauspost/pgzip v1.2.6
)
