rule registry:
    output:
        parquet="<results>/tables/registry.parquet",
        csv=report(
            "<results>/tables/registry.csv",
            caption="../report/registry.rst",
            category="Models",
            labels={"table": "registry of this collection"},
        ),
    log:
        "<logs>/registry.log",
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=4000,
        runtime="1h",
    params:
        cards=encoder_cards,
        recipe=recipes.REGISTRY,
    message:
        "Describing the models of this collection"
    script:
        "../../scripts/registry.py"
