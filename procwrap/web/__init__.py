"""What is answered over HTTP; it reads the Board and never acts."""
