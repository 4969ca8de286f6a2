#!/bin/sh
# The rustc of `cargo xtask fuzz`: coverage counters in what is searched only. In other crates they teach the search
# nothing, and a few large functions of them take many minutes to compile with them. The decoder of zstd takes as
# long with AddressSanitizer, so it goes without: its faults show in the allocator's red zones and against its twin.
case " $* " in
  *" --crate-name millstream"* | *" --crate-name lz4_flex "* | *" --crate-name snap "* | *" --crate-name zlib_rs "* | \
  *" --crate-name crc32c "* | *" --crate-name chrono_tz "*) exec "$@" ;;
esac
sanitizer=keep
case " $* " in *" --crate-name structured_zstd "*) sanitizer=drop ;; esac
for argument; do
  shift
  case "$argument" in
    -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage*) ;;
    -Zsanitizer=address) [ "$sanitizer" = drop ] || set -- "$@" "$argument" ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec "$@"
