pub mod reg_t;
