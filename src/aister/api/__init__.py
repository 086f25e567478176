"""The HTTP interface under `/api/v1`: one folder a resource, `{endpoints,schemas,service}.py`, in the frame of
`frame/`, put together by `application.py`. It is handed its ports by `app/serve.py` and reaches no adapter."""
