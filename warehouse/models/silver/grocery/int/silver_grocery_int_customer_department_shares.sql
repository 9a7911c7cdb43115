{{ department_shares('customer') }}
