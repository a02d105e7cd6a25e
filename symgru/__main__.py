"""python -m symgru"""

from symgru.cli import main

if __name__ == "__main__":
    main()
