"""The recipe number of everything that makes stored values.

Snakemake does not see a change inside this package. A rule therefore carries its recipe number as a
parameter, and an edit that changes stored values raises the number in the same commit, which makes
exactly the outputs it concerns out of date. Docstrings, speed and messages do not count, nor does
the order of a sum in float64, which another processor's BLAS changes too.
"""

# Which rows a capped split keeps.
SELECTION = 2
# The prepared inputs of a split.
PREPARE = 4
# Latents.
EXTRACT = 2
# Rows of the registry table.
REGISTRY = 4
# What building a network without weights tells.
CAPACITY = 2
# Rows of the geometry table.
GEOMETRY = 5
# Rows of the graphs table.
GRAPHS = 2
# Rows of the probes table, and of the artefact table made from it.
PROBES = 3
# Rows of the timings table.
TIMINGS = 2
# Rows of the tables of plan and coverage.
OVERVIEW = 1
# Rows of the tables of similarities, alignments, transfers and bases.
SIMILARITY = 4
ALIGNMENT = 4
TRANSFER = 2
BASES = 1
# What is noted of a shard that was read whole before it is published.
RECEIPTS = 2
# Matched pairs of models.
CONTRASTS = 2
# Rows of the tables of regressions and of likelihood ratios.
REGRESSION = 1
LIKELIHOOD_RATIO = 3
# Figures and pages.
FIGURES = 6
