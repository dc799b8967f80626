# Not part of any collection: rebuilds the contrasts that the repository keeps, after a change of
# the registry or of a rule. Run in the repository.
rule build_contrasts:
    input:
        registry=f"{REGISTRY}/registry.parquet",
        models=f"{REGISTRY}/models/semasia-v1.txt",
    output:
        parquet="registry/contrasts.parquet",
        csv="registry/contrasts.csv",
    log:
        "<logs>/build_contrasts.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        registry=registry_folder,
        recipe=recipes.CONTRASTS,
    message:
        "Pairing the models of semasia-v1"
    script:
        "../../scripts/build_contrasts.py"


rule contrasts:
    input:
        "<results>/tables/registry.parquet",
    output:
        parquet="<results>/tables/contrasts.parquet",
        csv="<results>/tables/contrasts.csv",
    log:
        "<logs>/contrasts.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        recipe=recipes.CONTRASTS,
    message:
        "Pairing the models of this collection"
    script:
        "../../scripts/contrasts.py"


rule regression:
    input:
        geometry="<results>/tables/geometry.parquet",
        contrasts="<results>/tables/contrasts.parquet",
    output:
        parquet="<results>/tables/regression.parquet",
        csv="<results>/tables/regression.csv",
    log:
        "<logs>/regression.log",
    benchmark:
        "<benchmarks>/regression.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=4000,
        runtime="2h",
    params:
        benchmarks=regressed_benchmarks,
        recipe=recipes.REGRESSION,
    message:
        "Regressing geometry on the five conditions"
    script:
        "../../scripts/regression.py"


rule likelihood_ratio:
    input:
        graphs="<results>/tables/graphs.parquet",
        registry="<results>/tables/registry.parquet",
    output:
        parquet="<results>/tables/likelihood_ratio.parquet",
        csv="<results>/tables/likelihood_ratio.csv",
    log:
        "<logs>/likelihood_ratio.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=4000,
        runtime="1h",
    params:
        recipe=recipes.LIKELIHOOD_RATIO,
    message:
        "Telling macro-families apart by graph signatures"
    script:
        "../../scripts/likelihood_ratio.py"


rule figure_forest:
    input:
        "<results>/tables/regression.parquet",
    output:
        strict=report(
            "<results>/figures/forest.svg",
            caption="../report/forest.rst",
            category="Contrasts",
            labels={"result": "effects of five conditions, strict pairs"},
        ),
        paper=report(
            "<results>/figures/forest_paper.svg",
            caption="../report/forest.rst",
            category="Contrasts",
            labels={"result": "effects of five conditions, the paper's rules"},
        ),
    log:
        "<logs>/figure_forest.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        recipe=recipes.FIGURES,
    message:
        "Drawing effects of the five conditions"
    script:
        "../../scripts/figure_forest.py"


rule figure_violins:
    input:
        graphs="<results>/tables/graphs.parquet",
        registry="<results>/tables/registry.parquet",
    output:
        report(
            "<results>/figures/violins.svg",
            caption="../report/violins.rst",
            category="Contrasts",
            labels={"result": "graph signatures by macro-family"},
        ),
    log:
        "<logs>/figure_violins.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        recipe=recipes.FIGURES,
    message:
        "Drawing graph signatures by macro-family"
    script:
        "../../scripts/figure_violins.py"
