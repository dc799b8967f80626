"""Publishing a collection: which shards, under which names, and what their cards say."""
