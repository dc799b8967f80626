rule figure_probes:
    input:
        "<results>/tables/geometry.parquet",
    output:
        report(
            "<results>/figures/probes.svg",
            caption="../report/probes.rst",
            category="Function",
            labels={"result": "probe accuracy"},
        ),
    log:
        "<logs>/figure_probes.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        recipe=recipes.FIGURES,
    message:
        "Drawing probe accuracies"
    script:
        "../../scripts/figure_probes.py"


rule figure_metrics:
    input:
        "<results>/tables/geometry.parquet",
    output:
        report(
            "<results>/figures/metrics.svg",
            caption="../report/metrics.rst",
            category="Geometry",
            labels={"result": "metrics per model"},
        ),
    log:
        "<logs>/figure_metrics.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        recipe=recipes.FIGURES,
    message:
        "Drawing metrics per model"
    script:
        "../../scripts/figure_metrics.py"


rule figure_projection:
    input:
        projection_shards,
    output:
        report(
            "<results>/figures/projection.svg",
            caption="../report/projection.rst",
            category="Latent spaces",
            labels={"result": "2-D projection"},
        ),
    log:
        "<logs>/figure_projection.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=8000,
        runtime="2h",
    params:
        label=projection_label,
        recipe=recipes.FIGURES,
    message:
        "Projecting latent spaces to two dimensions"
    script:
        "../../scripts/figure_projection.py"


rule figure_timings:
    input:
        "<results>/tables/timings.parquet",
    output:
        report(
            "<results>/figures/timings.svg",
            caption="../report/timings.rst",
            category="Speed",
            labels={"result": "where the time went"},
        ),
    log:
        "<logs>/figure_timings.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        recipe=recipes.FIGURES,
    message:
        "Drawing timings"
    script:
        "../../scripts/figure_timings.py"


rule figure_registry:
    input:
        f"{REGISTRY}/registry.parquet",
    output:
        report(
            "<results>/figures/registry.svg",
            caption="../report/figure_registry.rst",
            category="Models",
            labels={"result": "parameters and latent width, all of timm"},
        ),
    log:
        "<logs>/figure_registry.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        recipe=recipes.FIGURES,
    message:
        "Drawing the registry"
    script:
        "../../scripts/figure_registry.py"
