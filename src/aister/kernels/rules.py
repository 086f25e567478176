"""How rules are compiled: to intermediate code only, which the kernels that drive them take in and optimise.

numba would optimise every rule by itself, with all that it calls, and turn it into machine code that nobody runs: of
rules that call rules, each once for every level above it. Here a rule is typed, written as intermediate code and kept
so, in memory and in the cache; machine code is made of kernels alone, once, rules and all. This halves what compiling
costs and changes no result: without fastmath no optimisation does.

In a kernel its rules are made private before it is optimised: what is called from one place only becomes part of its
caller, and a status that is always 0 is not asked for (a sixth less time in the batch loop).

Everything that leans on numba's inside for this stands in this file (numba is pinned).
"""

from collections.abc import Callable
from typing import Any

from llvmlite import binding
from numba import njit, types
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult
from numba.core.registry import CPUDispatcher

__all__ = ["KernelCompiler", "Rule", "rule"]

_result: Callable[..., Any] = CompileResult
_plain: Callable[[Any], Any] = types.unliteral


class _Nowhere:
    """Stands for the code generator where numba would write the address of a rule's Python objects: it has none."""

    def set_env(self, name: str, env: object) -> None:
        pass


class _Intermediate(JITCodeLibrary):
    """The intermediate code of a rule and of all that it calls."""

    codegen = _Nowhere()

    def finalize(self: Any) -> None:
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._keep()

    def get_pointer_to_function(self: Any, name: str) -> int:
        """0: there is no machine code."""
        self._ensure_finalized()
        return 0

    def read(self: Any, code: bytes) -> None:
        """Take what `serialize_using_object_code` gave."""
        self._final_module = binding.parse_bitcode(code)
        self._keep()

    def serialize_using_object_code(self: Any) -> tuple[str, bytes]:
        self._ensure_finalized()
        return self.name, self._final_module.as_bitcode()

    def _keep(self: Any) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True


_intermediate: Callable[..., Any] = _Intermediate


class _RuleCompiler(Compiler):
    """numba's own passes, into an `_Intermediate`."""

    def define_pipelines(self) -> Any:
        state = self.state
        state.library = _intermediate(state.targetctx.codegen(), state.func_id.func_qualname)
        usual: Any = super()
        return usual.define_pipelines()


class _Whole(JITCodeLibrary):
    """The machine code of a kernel. What comes from rules may be optimised as if nobody else called it: so it is."""

    def _optimize_final_module(self: Any) -> None:
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == binding.Linkage.linkonce_odr:
                function.linkage = "internal"
        usual: Any = super()
        usual._optimize_final_module()


_whole: Callable[..., Any] = _Whole


class KernelCompiler(Compiler):
    """numba's own passes, into a `_Whole`."""

    def define_pipelines(self) -> Any:
        state = self.state
        state.library = _whole(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        usual: Any = super()
        return usual.define_pipelines()


class _RuleCacheImpl(CompileResultCacheImpl):
    def rebuild(self, target_context: Any, payload: Any) -> Any:
        (name, code), fndesc, env, signature, _, lifted, annotation, reload_init, environments = payload
        library = _intermediate(target_context.codegen(), name)
        library.read(code)
        return _result(
            target_context=target_context,
            typing_context=target_context.typing_context,
            library=library,
            environment=env,
            entry_point=target_context.get_executable(library, fndesc, env),
            fndesc=fndesc,
            type_annotation=annotation,
            signature=signature,
            objectmode=False,
            lifted=lifted,
            typing_error=None,
            call_helper=None,
            metadata=None,
            reload_init=reload_init,
            referenced_envs=environments,
        )


class _RuleCache(FunctionCache):
    _impl_class = _RuleCacheImpl


_rule_cache: Callable[..., Any] = _RuleCache


class Rule(CPUDispatcher):
    """A compiled rule. Called from Python, as tests do, it is compiled once more, as a kernel."""

    _called: Callable[..., Any] | None = None

    def enable_caching(self) -> None:
        self._cache = _rule_cache(self.py_func)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """One rule, one set of types: constants count as variables, short integers as long ones."""
        return super().get_call_template([_variable(one) for one in args], kws)

    def __call__(self, *args: Any) -> Any:
        if self._called is None:
            self._called = njit(error_model="numpy")(self.py_func)
        return self._called(*args)


def _variable(given: Any) -> Any:
    plain = _plain(given)
    return types.int64 if isinstance(plain, types.Integer) else plain


def rule(python: Callable[..., Any], *, inline: bool) -> Rule:
    """The compiled form of a rule written in Python; `inline`: forced into whatever calls it."""
    options = {"nopython": True, "error_model": "numpy", "forceinline": inline}
    unwrapped = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    made = Rule(python, locals={}, targetoptions={**options, **unwrapped}, pipeline_class=_RuleCompiler)
    made.enable_caching()
    return made
