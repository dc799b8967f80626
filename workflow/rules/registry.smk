rule registry:
    output:
        parquet="<results>/tables/registry.parquet",
        csv="<results>/tables/registry.csv",
        page=report(
            "<results>/pages/registry.html",
            caption="../report/registry.rst",
            category="Models",
            labels={"result": "models of this collection, table"},
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
        title=COLLECTION.config.title,
        recipe=recipes.REGISTRY,
    message:
        "Describing the models of this collection"
    script:
        "../../scripts/registry.py"
