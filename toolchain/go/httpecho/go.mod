module zerosteal/toolchain/httpecho

go 1.21
