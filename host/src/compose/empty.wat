;; wasi:filesystem/preopens with nothing in it.
;;
;; Version 0.2.0 serves a plugin that imports any later 0.2: the interface has not changed.
(component
  (import "wasi:filesystem/types@0.2.0" (instance $types
    (export "descriptor" (type (sub resource)))))
  (alias export $types "descriptor" (type $descriptor))

  (core module $nothing
    (memory (export "memory") 1)
    ;; The address of a list: the zeroes at 0 are no elements, at no address.
    (func (export "get-directories") (result i32) (i32.const 0)))
  (core instance $nothing (instantiate $nothing))

  (func $get-directories (result (list (tuple (own $descriptor) string)))
    (canon lift (core func $nothing "get-directories") (memory (core memory $nothing "memory"))))

  (instance $preopens
    (export "descriptor" (type $descriptor))
    (export "get-directories" (func $get-directories)))
  (export "wasi:filesystem/preopens@0.2.0" (instance $preopens)))
