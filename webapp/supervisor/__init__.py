"""What `manage.py up` is made of: it starts Redis, the web server, the workers and the reaper,
starts again whatever dies, and leaves no process behind."""
