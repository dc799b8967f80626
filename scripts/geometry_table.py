from semasia.figures import write_geometry_page
from semasia.geometry import COLUMNS
from semasia.jobs import job
from semasia.tables import read_tables, write_table

with job(snakemake.log[0]):
    frame = read_tables(snakemake.input, COLUMNS).sort("benchmark", "split", "model_name")
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
    write_geometry_page(
        frame,
        snakemake.output.page,
        title=snakemake.params.title,
        targets=snakemake.params.targets,
    )
