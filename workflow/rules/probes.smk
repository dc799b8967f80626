rule probes:
    input:
        shards=block_shards,
        fit_shards=block_fit_shards,
    output:
        "<results>/probes/{benchmark}/{split}/{block}.parquet",
    log:
        "<logs>/probes/{benchmark}/{split}/{block}.log",
    benchmark:
        "<benchmarks>/probes/{benchmark}/{split}/{block}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: lambda wildcards: analysis_threads(wildcards.benchmark)
    resources:
        # All rows of the fit split, and a rotated copy of them for each set of folds.
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime="24h",
    params:
        probe=probe_card,
        classes=label_classes,
        cache=lambda wildcards, output: f"{output[0].rsplit('/', 1)[0]}/rows",
        recipe=recipes.PROBES,
    message:
        "Probing latents of {wildcards.benchmark}/{wildcards.split}, block {wildcards.block}"
    script:
        "../../scripts/probes.py"


rule probes_table:
    input:
        all_probes,
    output:
        parquet="<results>/tables/probes.parquet",
        csv="<results>/tables/probes.csv",
        artefact_parquet="<results>/tables/probe_artefact.parquet",
        artefact_csv="<results>/tables/probe_artefact.csv",
        page=report(
            "<results>/pages/probes.html",
            caption="../report/probes_table.rst",
            category="Function",
            labels={"result": "three probes, table"},
        ),
    log:
        "<logs>/probes_table.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        title=COLLECTION.config.title,
        recipe=(recipes.PROBES, recipes.FIGURES),
    message:
        "Writing the tables of probes and of the probe artefact"
    script:
        "../../scripts/probes_table.py"


rule figure_artefact:
    input:
        "<results>/tables/probe_artefact.parquet",
    output:
        report(
            "<results>/figures/probe_artefact.svg",
            caption="../report/probe_artefact.rst",
            category="Function",
            labels={"result": "weak against strong probe"},
        ),
    log:
        "<logs>/figure_artefact.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        recipe=recipes.FIGURES,
    message:
        "Drawing weak against strong probes"
    script:
        "../../scripts/figure_artefact.py"
