module mica/compress

go 1.22

require (
	github.com/klauspost/compress v1.13.6
	github.com/klauspost/pgzip v1.2.6
)
