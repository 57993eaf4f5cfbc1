"""The gallery in a worker: followed change by change, or searched in PostgreSQL."""
