"""What joins a trader and its watcher, two processes that each must notice when the other is gone (safety C19)."""
