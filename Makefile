# make repro   regenerate all tables on the data that params.yaml names (default: the embedded synthetic motion)
# make test    run all tests and all notebooks
# make lab     open JupyterLab
# make env     install into .venv alone
# Options: PROFILE=smoke|demo|laptop|gpu|paper|paper_bf16  SOURCE=synthetic|cmu|human36m  DATA=folder  SEEDS=n  JOBS=n
#          LAB="--no-browser --port 8899": more for JupyterLab
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
JOBS ?= $(shell env -u OMP_NUM_THREADS nproc)
export PATH := $(abspath $(VENV))/bin:$(PATH)
export PYTHONHASHSEED := 0
# What is compiled is kept, or each of some thousand processes would compile what it imports anew.
unexport PYTHONDONTWRITEBYTECODE
# Else glibc returns the memory of every update to the system and gets it back page by page, which costs up to a fifth.
export MALLOC_TRIM_THRESHOLD_ := 1000000000
export MALLOC_MMAP_THRESHOLD_ := 1000000000

CHOICE := $(if $(PROFILE),--profile $(PROFILE)) $(if $(SOURCE),--source $(SOURCE)) $(if $(DATA),--path $(DATA)) \
          $(if $(SEEDS),--seeds $(SEEDS))

.PHONY: env repro stages test lab lint strip
env: $(VENV)/installed

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	# Python compiles what it imports; compiling all of it here takes as long as half of the download.
	python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.lock
	python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	# Else JupyterLab offers news and looks for updates on the network.
	jupyter labextension disable --level sys_prefix @jupyterlab/apputils-extension:announcements
	touch $@

repro: env
	$(if $(strip $(CHOICE)),python -m poselib select $(CHOICE))
	$(MAKE) --no-print-directory stages

# Independent trainings run side by side, one thread each; then DVC does the rest.
stages:
	python -m poselib side-by-side --jobs $(JOBS)
	dvc repro

test: env
	python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

lint: env
	ruff check . && ruff format --check .

strip: env
	find notebooks -name '*.ipynb' -not -path '*/.ipynb_checkpoints/*' -exec nbstripout {} +
	ruff format -q notebooks

# As root, Jupyter wants to be told that this is meant.
lab: env
	jupyter lab notebooks $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB)
