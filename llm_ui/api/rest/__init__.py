"""Our own REST: what scripts are offered with a key beside the protocols of others."""
