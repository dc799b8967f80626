"""The commands of ``semasia``, one module each: ``add`` declares it, ``run`` does it."""
