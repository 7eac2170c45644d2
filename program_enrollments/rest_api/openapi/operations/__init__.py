"""What each operation takes and gives, by the endpoints' modules in `v1`."""
