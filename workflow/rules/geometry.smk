rule geometry:
    input:
        shards=block_shards,
        fit_shards=block_fit_shards,
    output:
        "<results>/geometry/{benchmark}/{split}/{block}.parquet",
    log:
        "<logs>/geometry/{benchmark}/{split}/{block}.log",
    benchmark:
        "<benchmarks>/geometry/{benchmark}/{split}/{block}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: lambda wildcards: analysis_threads(wildcards.benchmark)
    resources:
        mem_mb=4000,
        runtime="8h",
    params:
        probe=probe_card,
        classes=label_classes,
        cache=lambda wildcards, output: f"{output[0].rsplit('/', 1)[0]}/rows",
        recipe=recipes.GEOMETRY,
    message:
        "Measuring latents of {wildcards.benchmark}/{wildcards.split}, block {wildcards.block}"
    script:
        "../../scripts/geometry.py"


rule geometry_table:
    input:
        all_geometry,
    output:
        parquet="<results>/tables/geometry.parquet",
        csv="<results>/tables/geometry.csv",
        page=report(
            "<results>/pages/geometry.html",
            caption="../report/geometry.rst",
            category="Geometry",
            labels={"result": "metrics, table"},
        ),
    log:
        "<logs>/geometry_table.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        title=COLLECTION.config.title,
        targets=len(list(COLLECTION.targets())),
        recipe=(recipes.GEOMETRY, recipes.FIGURES),
    message:
        "Writing the geometry table"
    script:
        "../../scripts/geometry_table.py"
