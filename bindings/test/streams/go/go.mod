module mica/compress

go 1.22
