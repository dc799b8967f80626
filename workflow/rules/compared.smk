# What is compared with what: similarities of every two models, maps of pairs, probes carried over, bases.
COMPARISON = COLLECTION.config.comparison
FIT, SCORE = COLLECTION.compared_splits() if COMPARISON else (None, None)


def compared_shards(models, split, table):
    return remade([shard(COMPARISON.benchmark, m, split) for m in models], table)


def is_compared(model):
    return all(
        is_analysed(COMPARISON.benchmark, model, split) for split in {FIT, SCORE}
    )


def compared_models():
    return [m for m in COMPARISON.compared() if is_compared(m)]


def compared_pairs():
    pairs = [p for p in COMPARISON.pairs if is_compared(p.a) and is_compared(p.b)]
    return [p.model_dump(mode="json") for p in pairs]


def tile_shards(wildcards):
    models = COMPARISON.group(int(wildcards.first))
    models += COMPARISON.group(int(wildcards.second))
    table = f"similarity/{wildcards.first}-{wildcards.second}.parquet"
    return compared_shards(filter(is_compared, dict.fromkeys(models)), SCORE, table)


def tile_models(wildcards):
    groups = (COMPARISON.group(int(wildcards[k])) for k in ("first", "second"))
    return [[m for m in group if is_compared(m)] for group in groups]


def pairs_with_intervals(wildcards):
    if COMPARISON.intervals == "all":
        first, second = tile_models(wildcards)
        return [[a, b] for a in first for b in second if a != b]
    return [[p["a"], p["b"]] for p in compared_pairs()]


def all_tiles(wildcards):
    return [f"{RESULTS}/similarity/{i}-{j}.parquet" for i, j in COMPARISON.tiles()]


def all_alignments(wildcards):
    return [f"{RESULTS}/alignment/{p['a']}/{p['b']}.parquet" for p in compared_pairs()]


def pair_shards(split, model):
    def one(wildcards):
        table = f"alignment/{wildcards.model_a}/{wildcards.model_b}.parquet"
        (path,) = compared_shards([wildcards[model]], split, table)
        return path

    return one


def transfer_shards(split):
    return lambda wildcards: compared_shards(
        compared_models(), split, "tables/transfer.parquet"
    )


def basis_shards(wildcards):
    models = {p[side] for p in compared_pairs() for side in "ab"}
    return compared_shards(sorted(models), SCORE, "tables/bases.parquet")


def compared_probe(wildcards):
    probe = COLLECTION.benchmarks[COMPARISON.benchmark].probe
    return probe.model_dump(mode="json") if probe else None


COMPARISON_TABLES = (
    "similarity alignment transfer bases bases_energy".split() if COMPARISON else []
)
COMPARISON_FIGURES = "similarity alignment transfer bases".split() if COMPARISON else []
