"""Writers of the pages that come from the code; `generate` says where each goes."""
