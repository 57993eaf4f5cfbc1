"""What `bench_gallery` measures in processes of their own."""
