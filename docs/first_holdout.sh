#!/bin/sh
# The guide docs/first_holdout.md is made from this script: its comments, its commands, and what they print.
set -e

# # Your first holdout in ten minutes
#
# A lot decides who is called, some clients are held out from everything, and months later one command says what the
# calls brought. Here a simulated company stands in for yours, so that the months take seconds: its today is
# 31 December 2025.
#
# ## A workspace
#
# One folder, one configuration for every command, one ledger: a file that holds leads, assignments, touches and deals.

leadlift init work
cd work

# `experiment.yaml` says what is tried: half of the clients are called, one in twenty is held out. Put in your own
# numbers, and the names of your own columns. Now the company's tables, as a CRM would export them.

leadlift demo --leads 6000 --write crm

# ## What can it show?
#
# Before anyone is called: how many leads it takes, how long, and what it costs. The answer is frozen; a configuration
# that promises something else is refused from here on.

leadlift design experiment.yaml

# ## Draw the lot
#
# Leads go in, checked, whole or not at all. The lot is drawn once: every probability is written down at that moment,
# and the list for the CRM says who is called. `--at` is for this rehearsal only; without it the draw is now.

leadlift import experiment.yaml leads crm/leads.csv
leadlift assign experiment.yaml --leads crm/leads.csv --at 2025-12-31T09:00:00Z

# A month later there are new leads. Those of clients drawn before take their client's arm over; nobody is drawn twice.

leadlift assign experiment.yaml --leads crm/leads.csv --at 2026-01-31T09:00:00Z

# ## What came of it
#
# Sales works through the list, and the company answers. With a real CRM you would export touches and deals instead.

leadlift demo --leads 6000 --write crm --lot work-list.csv
leadlift import experiment.yaml touches crm/touches.csv
leadlift import experiment.yaml deals crm/deals.csv

# Imports are safe to repeat: what the ledger has already is not added again.

leadlift import experiment.yaml deals crm/deals.csv

# ## Can the log be trusted?
#
# Was the lot as planned, did anyone switch arms, was the holdout touched, is the history unedited? Look at the split
# every day if you like: its level holds however often you look.

leadlift check experiment.yaml

# ## The answer
#
# Only leads whose window is closed count, each deal once. What a call brings per client comes first, since clients
# were drawn; then per lead, by score group.

leadlift run experiment.yaml

# `results/experiment/report.html` has it all on one page, and the study is noted in the ledger with its effects and
# the digest of the assignments that it used. The clients held out stay untouched until their day: they will tell what
# all of it brought together.
