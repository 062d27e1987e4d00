module gounprofiled

go 1.19
