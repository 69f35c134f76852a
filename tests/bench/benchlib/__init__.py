"""What the benchmarks beside this folder stand on: processes, httpd, load, figures. One idea in each file."""
