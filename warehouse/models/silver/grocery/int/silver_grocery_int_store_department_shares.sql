{{ department_shares('store') }}
