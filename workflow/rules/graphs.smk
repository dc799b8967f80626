rule graphs:
    input:
        shards=block_shards,
    output:
        "<results>/graphs/{benchmark}/{split}/{block}.parquet",
    log:
        "<logs>/graphs/{benchmark}/{split}/{block}.log",
    benchmark:
        "<benchmarks>/graphs/{benchmark}/{split}/{block}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: lambda wildcards: analysis_threads(wildcards.benchmark)
    resources:
        mem_mb=8000,
        runtime="8h",
    params:
        graph=COLLECTION.config.analysis.graph.model_dump(),
        cache=lambda wildcards, output: f"{output[0].rsplit('/', 1)[0]}/rows",
        recipe=recipes.GRAPHS,
    message:
        "Measuring graphs of {wildcards.benchmark}/{wildcards.split}, block {wildcards.block}"
    script:
        "../../scripts/graphs.py"


rule graphs_table:
    input:
        all_graphs,
    output:
        parquet="<results>/tables/graphs.parquet",
        csv="<results>/tables/graphs.csv",
    log:
        "<logs>/graphs_table.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        recipe=recipes.GRAPHS,
    message:
        "Writing the graphs table"
    script:
        "../../scripts/graphs_table.py"
