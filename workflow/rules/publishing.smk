# Shards are read whole before they are published, by many jobs; what is sent goes through one.
rule verify_shards:
    input:
        block_shards,
    output:
        "<results>/verified/{benchmark}/{split}/{block}.json",
    log:
        "<logs>/verify_shards/{benchmark}/{split}/{block}.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        recipe=recipes.RECEIPTS,
    message:
        "Verifying the shards of {wildcards.benchmark}/{wildcards.split}, block {wildcards.block}"
    script:
        "../../scripts/verify_shards.py"


# It has no output: what is on the Hub is known from the Hub, each time it is asked for.
rule publish:
    input:
        all_receipts,
        "<results>/tables/registry.parquet",
    log:
        "<logs>/publish.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        file=CONFIG_FILE,
        registry=registry_folder,
    message:
        "Publishing on the Hugging Face Hub"
    script:
        "../../scripts/publish.py"
