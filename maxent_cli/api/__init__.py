"""The front door: a typed public function for each thing that the command line can do; maxent_cli names them."""
