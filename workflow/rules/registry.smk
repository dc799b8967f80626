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
        weights=all_weights_contents,
        registry=registry_folder,
        content=registry_content,
        cache=f"{RESULTS}/registry",
        title=COLLECTION.config.title,
        recipe=recipes.REGISTRY,
    message:
        "Describing the models of this collection"
    script:
        "../../scripts/registry.py"


# Not part of any collection: rebuilds the table that the repository keeps, after a change of the
# vocabularies, the model sets or timm. Run in the repository: `make registry`.
rule build_registry:
    input:
        sets=multiext(
            f"{REGISTRY}/models/", "demo.yaml", "semasia-v1.txt", "timm-1.0.31.txt"
        ),
        paper=multiext(f"{REGISTRY}/paper_", "reading.csv", "reasons.yaml"),
    output:
        parquet="registry/registry.parquet",
        csv="registry/registry.csv",
        differences="registry/paper_differences.csv",
    log:
        "<logs>/build_registry.log",
    conda:
        "../../envs/torch.yaml"
    threads: 64
    resources:
        mem_mb=8000,
        runtime="2h",
    params:
        registry=registry_folder,
        cache=f"{RESULTS}/registry",
        recipe=recipes.REGISTRY,
    message:
        "Building the registry of all models"
    script:
        "../../scripts/build_registry.py"
