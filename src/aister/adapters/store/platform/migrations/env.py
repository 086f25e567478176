"""What Alembic runs: migrations on the connection it is handed, in that connection's transaction."""

from alembic import context

from aister.adapters.store.platform.tables import everything

connection = context.config.attributes.get("connection")
if connection is not None:
    context.configure(connection=connection, target_metadata=everything(), render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
