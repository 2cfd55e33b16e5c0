"""The vault: the login, sealed, in an object store, so that it can move to another machine.

`archive` packs the profile, `sealing` encrypts it, `generations` says which copy counts, `lease` who may
use it, `placing` puts it into a profile, `store` talks to the object store, `keeper` tells the story.
"""
