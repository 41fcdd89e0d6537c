"""What the DVC stages run: each module is one stage and imports just what that stage needs."""
