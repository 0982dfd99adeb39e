"""``python -m sing_core``: see ``cli``."""

from sing_core.allocator import take_over

if __name__ == "__main__":
    take_over()  # before torch, which the commands import, reads its environment

    from sing_core.cli.main import main

    main()
