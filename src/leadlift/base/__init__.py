"""Floor 1: errors, messages, configuration and result records; what every room stands on."""
