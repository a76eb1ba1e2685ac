//! Message source to a small tree that server and browser render alike. In this version: lines and links.
