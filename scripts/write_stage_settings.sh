#!/bin/sh
# Write the settings of a stage that a workflow holds in variables: STAGE, TFVARS, BACKEND.
set -eu
for name in STAGE TFVARS BACKEND; do
  eval "value=\${$name:-}"
  if [ -z "$value" ]; then
    echo "The variable $name has no value; docs/deployment.md#from-github tells what it holds." >&2
    exit 1
  fi
done
cd "$(dirname "$0")/../terraform-core"
cp backend.tf.example backend.tf
printf '%s\n' "$TFVARS" > "environments/$STAGE.tfvars"
printf '%s\n' "$BACKEND" > "environments/$STAGE.backend.hcl"
